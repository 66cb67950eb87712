// sharp, with the protocol of child.py. Arguments: the work's file, and `documented` or `cascade`.
'use strict'

const fs = require('node:fs')
const path = require('node:path')
const readline = require('node:readline')
const sharp = require('sharp')

sharp.concurrency(1)
sharp.cache(false) // each round decodes again

const work = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'))
const picture = fs.readFileSync(work.picture)
const watermark = fs.readFileSync(work.watermark)

function shrink (image, side) {
  return image.resize(side, side, { fit: 'inside', withoutEnlargement: true })
}

function finish (image, one) {
  if (one.format === 'jpeg') image = image.flatten({ background: '#ffffff' })
  if (one.watermark) image = image.composite([{ input: watermark, left: one.watermark[0], top: one.watermark[1] }])
  return image[one.format]({ quality: one.quality }).toBuffer()
}

// As the documentation shows it: a pipeline of its own for each derivative, from the file's bytes.
async function documented () {
  const files = []
  for (const one of work.derivatives) {
    files.push(await finish(shrink(sharp(picture).autoOrient(), one.side), one))
  }
  return files
}

// As who knows it well would: decoded once, as small as the decoder can; the rest from those pixels.
async function cascade () {
  const largest = Math.max(...work.derivatives.map(one => one.side))
  const { data, info } = await shrink(sharp(picture).autoOrient(), largest).raw().toBuffer({ resolveWithObject: true })
  const raw = { width: info.width, height: info.height, channels: info.channels }
  const files = []
  for (const one of work.derivatives) {
    const image = sharp(data, { raw })
    files.push(await finish(one.side < largest ? shrink(image, one.side) : image, one))
  }
  return files
}

const render = { documented, cascade }[process.argv[3]]
let files = []

async function answer (line) {
  const [command, argument] = line.trim().split(/ (.*)/)
  if (command === 'render') {
    const before = process.cpuUsage()
    const started = process.hrtime.bigint()
    files = await render()
    const { user, system } = process.cpuUsage(before)
    return { cpu: (user + system) / 1e6, seconds: Number(process.hrtime.bigint() - started) / 1e9 }
  }
  if (command === 'save') {
    work.derivatives.forEach((one, index) => {
      fs.writeFileSync(path.join(argument, `${one.name}.${one.format}`), files[index])
    })
    return {}
  }
  return { peak: peakMemory() }
}

// Peak memory since the start, in MB. The kernel's maxRSS starts with the parent's value.
function peakMemory () {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024 / 1e6
  return Number(/VmHWM:\s+(\d+) kB/.exec(fs.readFileSync('/proc/self/status', 'ascii'))[1]) * 1024 / 1e6
}

async function main () {
  console.log(JSON.stringify({ versions: { sharp: sharp.versions.sharp, libvips: sharp.versions.vips, Node: process.versions.node } }))
  for await (const line of readline.createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await answer(line)))
  }
}

main()
