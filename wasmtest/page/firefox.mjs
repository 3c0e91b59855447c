// Does in turn what firefox_test.go asks for, and posts what came of it: Firefox
// without a driver.

const post = (path, value) => fetch(path, { method: "POST", body: JSON.stringify(value ?? null) });

addEventListener("error", (event) => post("/uncaught", event.message));
addEventListener("unhandledrejection", (event) => post("/uncaught", String(event.reason)));

for (;;) {
  const expression = await (await fetch("/next")).text();
  const answer = {};
  try {
    answer.value = await (0, eval)(expression);
  } catch (error) {
    answer.error = `${error}\n${error?.stack ?? ""}`;
  }
  await post("/answer", answer);
}
