# Authors of consumers find the events' schemas here, and can generate code from them.
resource "aws_schemas_registry" "this" {
  count = length(var.schemas) == 0 ? 0 : 1

  name        = var.name
  description = "Contracts of the events of ${var.name}"

  tags = var.tags
}

resource "aws_schemas_schema" "this" {
  for_each = var.schemas

  name          = each.key
  registry_name = aws_schemas_registry.this[0].name
  type          = each.value.type
  description   = each.value.description
  content       = each.value.content

  tags = var.tags
}
