package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"temper/configs"
)

func (a *app) policyCommand() *cobra.Command {
	var project string
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
			p, err := projectPolicy(s.S3, strings.Trim(project, "/"), principals)
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
	return c
}

// policy is a bucket policy.
type policy struct {
	Version   string      `json:"Version"`
	Statement []statement `json:"Statement"`
}

type statement struct {
	Sid       string         `json:"Sid"`
	Effect    string         `json:"Effect"`
	Principal map[string]any `json:"Principal"`
	Action    []string       `json:"Action"`
	Resource  []string       `json:"Resource"`
	Condition map[string]any `json:"Condition,omitempty"`
}

// objectActions is all that temper asks of objects.
var objectActions = []string{"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObjectRetention"}

func projectPolicy(s configs.S3, project string, principals []string) (policy, error) {
	if strings.ContainsAny(project, "*?$") || project == "" {
		return policy{}, fmt.Errorf("--project %q: a prefix is a path without *, ? and $", project)
	}
	for _, p := range principals {
		if !strings.HasPrefix(p, "arn:") || strings.ContainsAny(p, "*? ") {
			return policy{}, fmt.Errorf("--principal %q: want the ARN of one user or role", p)
		}
	}
	bucket := "arn:aws:s3:::" + s.Bucket
	objects := []string{bucket + "/" + project + "/*"}
	prefixes := []string{project, project + "/", project + "/*"}
	// A role acts as a session of it, whose aws:PrincipalArn is the role's.
	others := map[string]any{"aws:PrincipalArn": principals}
	everybody := map[string]any{"AWS": "*"}
	id := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, project)
	return policy{Version: "2012-10-17", Statement: []statement{
		{Sid: id + "Objects", Effect: "Allow", Principal: map[string]any{"AWS": principals}, Action: objectActions, Resource: objects},
		{Sid: id + "List", Effect: "Allow", Principal: map[string]any{"AWS": principals}, Action: []string{"s3:ListBucket"}, Resource: []string{bucket},
			Condition: map[string]any{"StringLike": map[string]any{"s3:prefix": prefixes}}},
		{Sid: id + "OthersObjects", Effect: "Deny", Principal: everybody, Action: []string{"s3:*Object*", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"}, Resource: objects,
			Condition: map[string]any{"StringNotEquals": others}},
		{Sid: id + "OthersList", Effect: "Deny", Principal: everybody, Action: []string{"s3:ListBucket", "s3:ListBucketVersions"}, Resource: []string{bucket},
			Condition: map[string]any{"StringNotEquals": others, "StringLike": map[string]any{"s3:prefix": prefixes}}},
	}}, nil
}
