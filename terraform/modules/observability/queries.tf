resource "aws_cloudwatch_query_definition" "this" {
  for_each = var.queries

  name            = "${var.name}/${each.key}"
  log_group_names = each.value.log_groups
  query_string    = each.value.query
}
