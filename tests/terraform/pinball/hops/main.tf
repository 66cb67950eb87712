# Four functions, each of which hands on to the next by a queue.
module "one" {
  source = "../step"
  name   = "hops-1"
  next   = "hops-2"
}

module "two" {
  source = "../step"
  name   = "hops-2"
  next   = "hops-3"
}

module "three" {
  source = "../step"
  name   = "hops-3"
  next   = "hops-4"
}

module "four" {
  source = "../step"
  name   = "hops-4"
  next   = "hops-last"
}

module "last" {
  source = "../kept_queue"
  name   = "hops-last"
}
