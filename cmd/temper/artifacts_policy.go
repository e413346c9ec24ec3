package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"temper/artifact/s3"
)

func (a *app) policyCommand() *cobra.Command {
	var project string
	var allowOnly bool
	var principals []string
	c := &cobra.Command{Use: "policy --project NAME --principal ARN", Short: "Print a bucket policy that keeps a project to its people", Args: arguments(0, 0, ""),
		Long: `policy prints a bucket policy for a bucket that projects share, each below a prefix of its own (s3.prefix). It lets the principals read,
write, list and delete below the project's prefix, and denies that to everybody else, whatever other policies allow: name an administrator
as well. It is written as AWS has policies. Put it into the bucket with aws s3api put-bucket-policy; a bucket has one policy, so join the statements
of several projects. Who may list the whole bucket still sees the names of objects.`,
		RunE: func(*cobra.Command, []string) error {
			s, err := a.settings()
			if err != nil {
				return err
			}
			if project == "" && s.S3.Prefix == "" {
				return usagef("--project is missing: name the prefix of the project")
			}
			if project == "" {
				project = s.S3.Prefix
			}
			if len(principals) == 0 {
				return usagef("--principal is missing: name who may use the project, such as arn:aws:iam::123456789012:role/reason")
			}
			p, err := s3.ProjectPolicy(s.S3.Bucket, strings.Trim(project, "/"), principals, allowOnly)
			if err != nil {
				return err
			}
			body, err := json.MarshalIndent(p, "", "  ")
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.out, string(body))
			return err
		}}
	c.Flags().StringVar(&project, "project", "", "the project's `PREFIX` (default: s3.prefix)")
	c.Flags().StringArrayVar(&principals, "principal", nil, "`ARN` of a user or role that may use the project; may be given again")
	c.Flags().BoolVar(&allowOnly, "allow-only", false, "deny nobody: for stores such as versitygw, in which users have what bucket policies give them and nothing else")
	return c
}
