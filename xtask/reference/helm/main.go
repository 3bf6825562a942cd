// Renders a chart many times with Helm's engine, for benchmarks.
//
//	helm-engine CHART COUNT
//
// The chart is loaded once. Every round does what `helm template` does between loading and sorting:
// dependencies, values, templates. It prints, in milliseconds, the least and the median of the whole
// and of the templates alone.
package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 3 {
		return fmt.Errorf("usage: helm-engine CHART COUNT")
	}
	count, err := strconv.Atoi(os.Args[2])
	if err != nil {
		return err
	}
	charter, err := loader.Load(os.Args[1])
	if err != nil {
		return err
	}
	var whole, templates []float64
	for range count {
		begin := time.Now()
		given := map[string]any{}
		if err := chartutil.ProcessDependencies(charter, given); err != nil {
			return err
		}
		release := common.ReleaseOptions{Name: "demo", Namespace: "default", Revision: 1, IsInstall: true}
		values, err := util.ToRenderValues(charter, given, release, common.DefaultCapabilities)
		if err != nil {
			return err
		}
		middle := time.Now()
		if _, err := engine.Render(charter, values); err != nil {
			return err
		}
		end := time.Now()
		whole = append(whole, milliseconds(end.Sub(begin)))
		templates = append(templates, milliseconds(end.Sub(middle)))
	}
	fmt.Println(least(whole), median(whole), least(templates), median(templates))
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

func least(all []float64) float64 { return slices.Min(all) }

func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}
