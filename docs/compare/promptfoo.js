// Put the same questions to the same server on this machine by promptfoo and by
// proctor, 64 at a time, and print both rates and their ratio.
//
//     go build -o proctor ./cmd/proctor && node docs/compare/promptfoo.js ./proctor [QUESTIONS]
//
// promptfoo is installed from npm at the version below, into the folder that
// PROMPTFOO_DIR names, or else into one that is removed. Where npm does not have it, a
// notice says so and nothing is compared. The rate is taken at the server, from the first
// request to the last: neither program's start and judging are in it.
"use strict";
const { spawnSync, spawn } = require("node:child_process");
const fs = require("node:fs");
const http = require("node:http");
const os = require("node:os");
const path = require("node:path");

const VERSION = "0.120.27"; // the last that runs on Node 20

// serve says of each number whether it is even, and counts; GET tells, and begins to count anew.
function serve() {
  let n = 0, first = 0n, last = 0n;
  const answer = (content) => JSON.stringify({ id: "1", object: "chat.completion", model: "echo", usage: { total_tokens: 2, prompt_tokens: 1, completion_tokens: 1 },
    choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content } }] });
  const s = http.createServer((req, res) => {
    res.setHeader("Content-Type", "application/json");
    if (req.method === "GET") {
      res.end(JSON.stringify({ n, seconds: Number(last - first) / 1e9 }));
      n = 0;
      return;
    }
    let body = "";
    req.on("data", (d) => { body += d; });
    req.on("end", () => {
      last = process.hrtime.bigint();
      if (n++ === 0) first = last;
      res.end(answer(/Is \d*[02468] even/.test(body) ? "yes" : "no"));
    });
  });
  s.keepAliveTimeout = 60000;
  s.listen(0, "127.0.0.1", () => console.log(s.address().port));
}

function run(program, args, env) {
  const r = spawnSync(program, args, { env: { ...process.env, ...env }, encoding: "utf8", maxBuffer: 1 << 28 });
  if (r.error) throw r.error;
  return r;
}

// promptfoo returns how it is run, or nothing where npm does not have it.
function promptfoo(dir) {
  const bin = path.join(dir, "node_modules", "promptfoo", "dist", "src", "main.js");
  if (!fs.existsSync(bin)) {
    // Its database is compiled where no built one can be fetched, with the headers that lie beside node.
    const env = { npm_config_nodedir: path.dirname(path.dirname(process.execPath)) };
    const r = run("npm", ["install", "--no-audit", "--no-fund", "--omit=optional", "--prefix", dir, "promptfoo@" + VERSION], env);
    if (r.status !== 0) return undefined;
  }
  const found = JSON.parse(fs.readFileSync(path.join(dir, "node_modules", "promptfoo", "package.json"), "utf8"));
  if (found.version !== VERSION) throw new Error(`${dir} has promptfoo ${found.version}, want ${VERSION}`);
  return path.join(dir, "node_modules", "promptfoo", Object.values(found.bin)[0]);
}

async function counted(base, what) {
  const { n, seconds } = await (await fetch(base)).json();
  const rate = (n - 1) / seconds;
  console.log(`${what}: ${n} requests in ${seconds.toFixed(2)} s, ${Math.round(rate)} a second`);
  return { n, rate };
}

async function main(proctor, questions) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "promptfoo-"));
  const server = spawn(process.execPath, [__filename, "--serve"], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const port = await new Promise((ok) => server.stdout.once("data", (d) => ok(Number(d))));
    const base = `http://127.0.0.1:${port}`;
    const bin = promptfoo(process.env.PROMPTFOO_DIR || dir);
    if (!bin) {
      console.log(`SKIP: npm has no promptfoo ${VERSION} here; nothing was compared`);
      return;
    }
    const texts = Array.from({ length: questions }, (_, i) => `Is ${i} even?`);
    const want = (i) => (i % 2 ? "no" : "yes");
    fs.writeFileSync(path.join(dir, "c.csv"), ["text,expect", ...texts.map((t, i) => `${t},${want(i)}`)].join("\n") + "\n");
    fs.writeFileSync(path.join(dir, "s.yaml"), "suite: echo\ntests:\n  - {name: echo, kind: MFT, cases: c.csv}\n");
    fs.writeFileSync(path.join(dir, "p.json"), JSON.stringify({
      prompts: ["{{text}}"],
      providers: [{ id: "openai:chat:echo", config: { apiBaseUrl: base + "/v1", apiKey: "none", temperature: 0, max_tokens: 256 } }],
      tests: texts.map((text, i) => ({ vars: { text }, assert: [{ type: "equals", value: want(i) }] })),
    }));
    const quiet = { PROMPTFOO_DISABLE_TELEMETRY: "1", PROMPTFOO_DISABLE_UPDATE: "1", PROMPTFOO_DISABLE_REMOTE_GENERATION: "1", PROMPTFOO_CONFIG_DIR: dir };
    const theirs = run(process.execPath, [bin, "eval", "-c", path.join(dir, "p.json"), "-j", "64", "--no-cache", "--no-write", "--no-table", "--no-progress-bar"], quiet);
    const a = await counted(base, `promptfoo ${VERSION}`);
    if (theirs.status !== 0 || a.n !== questions) throw new Error(`promptfoo: exit code ${theirs.status}\n${theirs.stdout}${theirs.stderr}`);
    const ours = run(proctor, ["suite", "run", path.join(dir, "s.yaml"), "--endpoint", base + "/v1", "--model", "echo", "--journal", path.join(dir, "j")]);
    const b = await counted(base, "proctor");
    if (ours.status !== 0 || b.n !== questions) throw new Error(`proctor: exit code ${ours.status}\n${ours.stdout}${ours.stderr}`);
    console.log(`ratio ${(b.rate / a.rate).toFixed(1)}`);
    if (b.rate < 10 * a.rate) process.exitCode = 1;
  } finally {
    server.kill();
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

if (process.argv[2] === "--serve") serve();
else if (process.argv.length < 3) {
  console.error("usage: node docs/compare/promptfoo.js PROCTOR [QUESTIONS]");
  process.exitCode = 2;
} else main(path.resolve(process.argv[2]), Number(process.argv[3] || 2000));
