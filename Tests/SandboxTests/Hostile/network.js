// expect: exited 0
// says: CONTAINED
const net = require("net"), dns = require("dns");
let left = 3, escaped = false;
const done = (what) => (error) => {
  if (!error) { escaped = true; console.log("ESCAPED", what); }
  if (--left === 0 && !escaped) console.log("CONTAINED");
  if (left === 0) process.exit(0);
};
const socket = net.connect({ host: "127.0.0.1", port: 22 });
socket.on("connect", () => done("connect")(null)); socket.on("error", done("connect"));
const server = net.createServer();
server.on("error", done("listen")); server.listen(8080, () => done("listen")(null));
dns.lookup("example.org", done("dns"));
