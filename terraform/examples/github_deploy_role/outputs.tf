output "variables" {
  description = "Variables to set in the repository, for the workflow that deploys."
  value = {
    AWS_APPLY_ROLE           = aws_iam_role.this["apply"].arn
    AWS_PERMISSIONS_BOUNDARY = aws_iam_policy.boundary.arn
    AWS_PLAN_ROLE            = aws_iam_role.this["plan"].arn
    AWS_REGION               = var.region
    DARKROOM_NAME            = var.name
    STATE_BUCKET             = var.state_bucket
  }
}
