import unittest

from vocales import contar_vocales


class VocalesTest(unittest.TestCase):
    def test_sin_vocales(self):
        self.assertEqual(contar_vocales("xyz"), 0)

    def test_mayusculas(self):
        self.assertEqual(contar_vocales("AEIOU"), 5)

    def test_acentos(self):
        self.assertEqual(contar_vocales("pingüino está"), 6)
