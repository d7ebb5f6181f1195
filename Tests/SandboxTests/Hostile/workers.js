// expect: any
// met: processes
// Threads of node.
const { Worker } = require("worker_threads");
for (let i = 0; i < 100; i++) new Worker("for(;;);", { eval: true }).on("error", () => {});
