package slow

import (
	"os/exec"
	"testing"
)

// The tests inside of webm that try only some of a great many streams there try all here.
func TestEveryMutationAndDamage(t *testing.T) {
	out, err := exec.Command("go", "test", "-count=1", "-v", "-run=Mutated|Changed|OtherSizes|CutAtAny|^TestDamageCosts|^TestManyTiny|^TestCuesPoint|^TestARelay|^TestBeforeTheEnd|^TestAClipHas", "..", "-args", "-thorough").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}
