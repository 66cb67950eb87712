# A function may call another one: by its alias, with a wildcard, as such policies are.
module "caller" {
  source = "../worker"
  name   = "call-caller"

  policies = {
    own = jsonencode({
      Version   = "2012-10-17"
      Statement = [{ Effect = "Allow", Action = "lambda:Invoke*", Resource = "arn:aws:lambda:*:*:function:call-called:live" }]
    })
  }
}

module "called" {
  source = "../worker"
  name   = "call-called"
}
