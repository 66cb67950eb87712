output "arn" {
  description = "ARN of the bucket, known at plan. References to it wait for the bucket."
  value       = local.arn
  depends_on  = [aws_s3_bucket.this]
}

output "name" {
  description = "Name of the bucket. References to it wait until encryption, versioning and access are configured."
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
