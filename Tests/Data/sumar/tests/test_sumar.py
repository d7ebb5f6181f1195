import unittest

from sumar import add


class SumTest(unittest.TestCase):
    def test_two(self):
        self.assertEqual(add(1, 2), 3)

    def test_zero(self):
        self.assertEqual(add(0, 0), 0)
