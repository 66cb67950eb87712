output "arn" {
  description = "ARN of the bucket, known before the bucket is made; what refers to it waits for the bucket."
  value       = local.arn
  depends_on  = [aws_s3_bucket.this]
}

output "name" {
  description = "Name of the bucket; what refers to it waits until an object put there is encrypted, versioned and private."
  value       = aws_s3_bucket.this.bucket

  depends_on = [
    aws_s3_bucket_ownership_controls.this,
    aws_s3_bucket_public_access_block.this,
    aws_s3_bucket_server_side_encryption_configuration.this,
    aws_s3_bucket_versioning.this,
  ]
}

output "regional_domain_name" {
  description = "Domain name of the bucket in its region."
  value       = aws_s3_bucket.this.bucket_regional_domain_name
}
