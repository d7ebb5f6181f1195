// expect: memory
// Outside of the heap that node itself bounds.
const held = [];
for (;;) held.push(Buffer.alloc(1 << 20, 1));
