import { describe, expect, test } from '@jest/globals';
import { unique } from './unique';

describe('unique', () => {
  test('keeps the order', () => {
    expect(unique([3, 1, 3, 2, 1])).toEqual([3, 1, 2]);
  });

  test('of nothing is nothing', () => {
    expect(unique([])).toEqual([]);
  });

  test('does not take 1 for "1"', () => {
    expect(unique([1, '1'])).toHaveLength(2);
  });
});
