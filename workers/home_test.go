package workers

import (
	"testing"

	"github.com/stretchr/testify/require"

	"temper/activities/contract"
	"temper/configs"
)

func TestHomesAreOneWorkersEach(t *testing.T) {
	dir := t.TempDir()
	first, leaveFirst, err := home(dir)
	require.NoError(t, err)
	require.Regexp(t, "^"+contract.QueueGPU+"/.+/1$", first)
	second, leaveSecond, err := home(dir)
	require.NoError(t, err)
	require.Regexp(t, "/2$", second)
	leaveFirst()
	again, leaveAgain, err := home(dir)
	require.NoError(t, err)
	require.Equal(t, first, again, "a worker that is started again")
	leaveSecond()
	leaveAgain()
}

func TestTheHomeQueueIsServedAsTheAccelerators(t *testing.T) {
	plans, err := plan(configs.Default().Worker, "build")
	require.NoError(t, err)
	served := atHome(plans, "mine")
	require.Equal(t, "mine", served[len(served)-1].queue)
	require.Equal(t, 1, served[len(served)-1].options.MaxConcurrentActivityExecutionSize)
	require.True(t, served[len(served)-1].options.DisableWorkflowWorker)

	s := configs.Default().Worker
	s.Deployment = "fleet"
	plans, err = plan(s, "v1")
	require.NoError(t, err)
	served = atHome(plans, "mine")
	require.True(t, served[len(served)-2].options.DeploymentOptions.UseVersioning)
	require.False(t, served[len(served)-1].options.DeploymentOptions.UseVersioning, "the next build's workers do not have this queue")
	queue, leave, err := takeHome(s, "v1")
	require.NoError(t, err)
	require.Regexp(t, "/v1$", queue)
	leave()
	s.Queues = []string{contract.QueueLight}
	queue, leave, err = takeHome(s, "")
	require.NoError(t, err)
	require.Empty(t, queue, "nothing is held without an accelerator")
	leave()
}
