// expect: exited 0
// says: CONTAINED
const { execSync } = require("child_process");
let out = "";
try { out = execSync("cat /etc/shadow /root/.bashrc; ls /home; id -u", { stdio: ["ignore", "pipe", "ignore"] }).toString(); }
catch (error) { out = (error.stdout || "").toString(); }
console.log(/root:|^0$/m.test(out) ? "ESCAPED" : "CONTAINED");
