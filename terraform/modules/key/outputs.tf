output "alias" {
  description = "Alias of the key: `alias/<name>`."
  value       = aws_kms_alias.this.name
}

output "arn" {
  description = "ARN of the key."
  # Built from parts, so a plan knows that it is not null before the key exists: modules decide by that.
  value = "${local.arn_prefix}:key/${aws_kms_key.this.key_id}"
}

output "id" {
  description = "Id of the key."
  value       = aws_kms_key.this.key_id
}
