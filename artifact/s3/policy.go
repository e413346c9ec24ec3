package s3

import (
	"fmt"
	"strings"
)

// Policy is a bucket policy as AWS has them.
type Policy struct {
	Version   string      `json:"Version"`
	Statement []Statement `json:"Statement"`
}

// Statement is one rule of a policy.
type Statement struct {
	Sid       string         `json:"Sid"`
	Effect    string         `json:"Effect"`
	Principal map[string]any `json:"Principal"`
	Action    []string       `json:"Action"`
	Resource  []string       `json:"Resource"`
	Condition map[string]any `json:"Condition,omitempty"`
}

// objectActions is all that temper asks of objects.
var objectActions = []string{"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObjectRetention"}

// ProjectPolicy keeps what is below a project's prefix to the principals, ARNs of users or roles: it lets them read, write, list and delete there, and denies
// that to everybody else. With allowOnly it does not deny: in a store that gives users nothing by itself the others have nothing then, and one such as
// versitygw does not know the caller's ARN in the condition that spares the principals.
func ProjectPolicy(bucket, project string, principals []string, allowOnly bool) (Policy, error) {
	if strings.ContainsAny(project, "*?$") || project == "" {
		return Policy{}, fmt.Errorf("project %q: a prefix is a path without *, ? and $", project)
	}
	for _, p := range principals {
		if !strings.HasPrefix(p, "arn:") || strings.ContainsAny(p, "*? ") {
			return Policy{}, fmt.Errorf("principal %q: want the ARN of one user or role", p)
		}
	}
	arn := "arn:aws:s3:::" + bucket
	objects := []string{arn + "/" + project + "/*"}
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
	out := Policy{Version: "2012-10-17", Statement: []Statement{
		{Sid: id + "Objects", Effect: "Allow", Principal: map[string]any{"AWS": principals}, Action: objectActions, Resource: objects},
		{Sid: id + "List", Effect: "Allow", Principal: map[string]any{"AWS": principals}, Action: []string{"s3:ListBucket"}, Resource: []string{arn},
			Condition: map[string]any{"StringLike": map[string]any{"s3:prefix": prefixes}}},
	}}
	if allowOnly {
		return out, nil
	}
	out.Statement = append(out.Statement,
		Statement{Sid: id + "OthersObjects", Effect: "Deny", Principal: everybody, Action: []string{"s3:*Object*", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"}, Resource: objects,
			Condition: map[string]any{"StringNotEquals": others}},
		Statement{Sid: id + "OthersList", Effect: "Deny", Principal: everybody, Action: []string{"s3:ListBucket", "s3:ListBucketVersions"}, Resource: []string{arn},
			Condition: map[string]any{"StringNotEquals": others, "StringLike": map[string]any{"s3:prefix": prefixes}}})
	return out, nil
}
