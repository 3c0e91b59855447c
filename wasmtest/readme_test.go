package wasmtest

// What the README promises a reader who pastes it into a page.

import (
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

func TestTheReadmesExampleRecordsSendsAndPlays(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "```js\n")
	example, _, found := strings.Cut(rest, "```")
	module := `import { Recording } from "webmend";`
	if !found || !strings.Contains(example, module) {
		t.Fatalf("the README has no example: %q", example)
	}
	example = strings.Replace(example, module, `const { Recording } = await import("/dist/index.js");`, 1)

	p := open(t, func(chromedp.ConsoleMessage) bool { return false })
	got := evaluate[struct {
		Sent, Recorded    int
		Duration, Reached float64
		SeekableTo        float64
	}](t, p, `(async () => {
		const canvas = document.createElement("canvas");
		const context = canvas.getContext("2d");
		let hue = 0;
		const draw = setInterval(() => {
			context.fillStyle = "hsl(" + (hue += 9) + " 90% 50%)";
			context.fillRect(0, 0, canvas.width, canvas.height);
		}, 33);
		const recorder = new MediaRecorder(canvas.captureStream(30), { videoKeyFrameIntervalDuration: 500 });
		const video = Object.assign(document.createElement("video"), { muted: true });
		let recorded = 0;
		recorder.addEventListener("dataavailable", (event) => (recorded += event.data.size));
		const sent = [];
		const send = (bytes) => sent.push(bytes);
		`+example+`
		recorder.start(100);
		await new Promise((resolve) => setTimeout(resolve, 2000));
		recorder.stop();
		await new Promise((resolve) => video.addEventListener("canplaythrough", resolve));
		await video.play();
		await new Promise((resolve) => video.addEventListener("ended", resolve));
		clearInterval(draw);
		return {
			sent: sent.reduce((n, bytes) => n + bytes.length, 0), recorded,
			duration: video.duration, reached: video.currentTime, seekableTo: video.seekable.end(0),
		};
	})()`)
	if got.Sent != got.Recorded || got.Sent == 0 {
		t.Errorf("%d bytes were sent of %d recorded", got.Sent, got.Recorded)
	}
	if got.Duration < 1 || got.Reached != got.Duration || got.SeekableTo != got.Duration {
		t.Errorf("it lasts %v s, is seekable to %v and played to %v", got.Duration, got.SeekableTo, got.Reached)
	}
}
