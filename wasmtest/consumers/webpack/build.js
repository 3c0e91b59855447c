// As the command line does it, with no configuration: webpack-cli wants a newer Node.

import webpack from "webpack";

webpack({ mode: "production", entry: { main: "./main.js", inline: "./inline.js" }, output: { path: `${process.cwd()}/dist` }, performance: false }, (error, stats) => {
  if (error) throw error;
  console.log(stats.toString());
  process.exitCode = stats.hasErrors() || stats.hasWarnings() ? 1 : 0;
});
