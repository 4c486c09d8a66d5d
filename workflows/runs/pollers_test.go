package runs

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func TestWhoPolledLongAgoIsGone(t *testing.T) {
	now := time.Now()
	poller := func(ago time.Duration) *taskqueuepb.PollerInfo {
		return &taskqueuepb.PollerInfo{LastAccessTime: timestamppb.New(now.Add(-ago))}
	}
	require.False(t, anyPolls(nil, now))
	require.False(t, anyPolls([]*taskqueuepb.PollerInfo{poller(4 * time.Minute)}, now), "killed: the server still knows it")
	require.True(t, anyPolls([]*taskqueuepb.PollerInfo{poller(4 * time.Minute), poller(59 * time.Second)}, now))
	require.True(t, anyPolls([]*taskqueuepb.PollerInfo{poller(-time.Second)}, now), "clocks differ")
}
