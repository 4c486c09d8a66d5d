//go:build unix

package devstack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	namespacepb "go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"google.golang.org/protobuf/types/known/durationpb"
)

// dialTemporal connects as soon as the server is healthy and its parts know the namespace, which it makes if need be: the
// dev server does so by itself.
func dialTemporal(ctx context.Context, address, namespace string) (client.Client, error) {
	var c client.Client
	var last error
	created := false
	err := poll(ctx, &last, func() (bool, error) {
		if c == nil {
			c, last = client.DialContext(ctx, client.Options{
				HostPort: address, Namespace: namespace,
				// That a server which is starting does not answer yet is no news.
				Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
			})
			if last != nil {
				c = nil
				return false, nil
			}
		}
		if _, last = c.CheckHealth(ctx, &client.CheckHealthRequest{}); last != nil {
			return false, nil
		}
		_, last = c.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Namespace: namespace})
		if absent := new(serviceerror.NamespaceNotFound); errors.As(last, &absent) && !created {
			last = createNamespace(ctx, c, namespace)
			created = last == nil
			return false, nil
		}
		return last == nil, nil
	})
	if err != nil && c != nil {
		c.Close()
	}
	return c, err
}

// EnsureSearchAttributes creates the search attributes that the namespace lacks and waits until they can be
// used. To repeat it is harmless. An attribute that exists with another type is an error, since a type cannot
// be changed.
func EnsureSearchAttributes(ctx context.Context, c client.Client, namespace string, wanted map[string]enumspb.IndexedValueType) error {
	if len(wanted) == 0 {
		return nil
	}
	missing, err := missingAttributes(ctx, c, namespace, wanted)
	if absent := new(serviceerror.NamespaceNotFound); errors.As(err, &absent) {
		return fmt.Errorf("there is no namespace %s: create it first, or name another", namespace)
	}
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		_, err := c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
			Namespace: namespace, SearchAttributes: missing,
		})
		// Another process may have been faster; whether all is well shows below.
		if exists := new(serviceerror.AlreadyExists); err != nil && !errors.As(err, &exists) {
			return fmt.Errorf("create search attributes %s: %w", names(missing), err)
		}
	}
	var last error
	err = poll(ctx, &last, func() (bool, error) {
		missing, err := missingAttributes(ctx, c, namespace, wanted)
		if err != nil || len(missing) > 0 {
			return false, err
		}
		last = usableInQueries(ctx, c, namespace, wanted)
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("wait for search attributes: %w", err)
	}
	return nil
}

// missingAttributes returns those of the wanted attributes that the namespace does not have.
func missingAttributes(ctx context.Context, c client.Client, namespace string, wanted map[string]enumspb.IndexedValueType) (map[string]enumspb.IndexedValueType, error) {
	listed, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		return nil, fmt.Errorf("list search attributes: %w", err)
	}
	missing := map[string]enumspb.IndexedValueType{}
	for name, kind := range wanted {
		found, exists := listed.GetCustomAttributes()[name]
		if exists && found != kind {
			return nil, fmt.Errorf("search attribute %s is %s in namespace %s, and has to be %s", name, found, namespace, kind)
		}
		if !exists {
			missing[name] = kind
		}
	}
	return missing, nil
}

// usableInQueries asks for all attributes in one query, which the server refuses while it does not know them.
func usableInQueries(ctx context.Context, c client.Client, namespace string, wanted map[string]enumspb.IndexedValueType) error {
	var conditions []string
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		conditions = append(conditions, "`"+name+"` IS NOT NULL")
	}
	_, err := c.WorkflowService().CountWorkflowExecutions(ctx, &workflowservice.CountWorkflowExecutionsRequest{
		Namespace: namespace, Query: strings.Join(conditions, " AND "),
	})
	return err
}

func names(attributes map[string]enumspb.IndexedValueType) string {
	return strings.Join(slices.Sorted(maps.Keys(attributes)), ", ")
}

// createNamespace makes a namespace such as the dev server has.
func createNamespace(ctx context.Context, c client.Client, namespace string) error {
	_, err := c.WorkflowService().RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace: namespace, WorkflowExecutionRetentionPeriod: durationpb.New(24 * time.Hour),
	})
	if exists := new(serviceerror.NamespaceAlreadyExists); errors.As(err, &exists) {
		return nil
	}
	return err
}

func setRetention(ctx context.Context, c client.Client, namespace string, retention time.Duration) error {
	_, err := c.WorkflowService().UpdateNamespace(ctx, &workflowservice.UpdateNamespaceRequest{
		Namespace: namespace,
		Config:    &namespacepb.NamespaceConfig{WorkflowExecutionRetentionTtl: durationpb.New(retention)},
	})
	if err != nil {
		return fmt.Errorf("set how long workflows are kept: %w", err)
	}
	return nil
}
