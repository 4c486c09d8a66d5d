package workflows_test

import (
	"os"
	"testing"

	"github.com/waybill-oms/waybill/devstack/devtest"
	"github.com/waybill-oms/waybill/store"
	"github.com/waybill-oms/waybill/workflows"
)

func TestMain(m *testing.M) {
	devtest.Migrate = store.Migrate
	devtest.SearchAttributes = workflows.SearchAttributes()
	devtest.NeedTemporal()
	os.Exit(devtest.Run(m))
}
