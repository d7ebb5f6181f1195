import { describe, it } from 'node:test';
import assert from 'node:assert';
import { Clock } from './clock.js';

describe('Clock', () => {
  it('shows hours and minutes', () => {
    assert.strictEqual(String(new Clock(8, 5)), '08:05');
  });

  it('goes round at midnight', () => {
    assert.strictEqual(String(new Clock(23, 59).plus(2)), '00:01');
  });

  it('can be turned back', () => {
    assert.strictEqual(String(new Clock(0).plus(-1)), '23:59');
  });
});
