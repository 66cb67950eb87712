output "alias" {
  description = "Alias of the key: `alias/<name>`."
  value       = aws_kms_alias.this.name
}

output "arn" {
  description = "ARN of the key."
  # Put together, so that a plan knows before there is a key that this is not null, which modules choose by.
  value = "${local.arn_prefix}:key/${aws_kms_key.this.key_id}"
}

output "id" {
  description = "Id of the key."
  value       = aws_kms_key.this.key_id
}
