package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/sdk/client"

	"temper/activities/contract"
)

// attributeTypes are the search attributes of contract.Attributes in the server's terms.
func attributeTypes() (map[string]enumspb.IndexedValueType, error) {
	out := map[string]enumspb.IndexedValueType{}
	for name, kind := range contract.Attributes {
		t, err := enumspb.IndexedValueTypeFromString(kind)
		if err != nil {
			return nil, fmt.Errorf("search attribute %s: %w", name, err)
		}
		out[name] = t
	}
	return out, nil
}

// checkAttributes finds out whether the namespace has the search attributes that workflows set. Without them every task of a workflow
// would fail, so no worker starts.
func checkAttributes(ctx context.Context, c client.Client, namespace string) error {
	want, err := attributeTypes()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, reachWithin)
	defer cancel()
	there, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err == nil {
		return missingFrom(want, there.GetCustomAttributes(), namespace)
	}
	all, allErr := c.GetSearchAttributes(ctx) // the way of services that let nobody operate them
	if allErr != nil {
		return fmt.Errorf("temporal.namespace: list the search attributes of %s: %w", namespace, errors.Join(err, allErr))
	}
	return missingFrom(want, all.GetKeys(), namespace)
}

func missingFrom(want, there map[string]enumspb.IndexedValueType, namespace string) error {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(want)) {
		switch t, ok := there[name]; {
		case !ok:
			lines = append(lines, fmt.Sprintf("  temporal operator search-attribute create --namespace %s --name %s --type %s", namespace, name, want[name]))
		case t != want[name]:
			lines = append(lines, fmt.Sprintf("  (%s is there as %s and must be %s)", name, t, want[name]))
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return fmt.Errorf("temporal.namespace: %s lacks search attributes that runs set; an administrator adds them with\n%s", namespace, strings.Join(lines, "\n"))
}
