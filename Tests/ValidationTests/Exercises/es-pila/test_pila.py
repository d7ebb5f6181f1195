import pytest

from pila import Pila


def test_el_ultimo_sale_primero():
    pila = Pila()
    pila.apilar(1)
    pila.apilar(2)
    assert pila.desapilar() == 2
    assert pila.desapilar() == 1


def test_vacia():
    with pytest.raises(ValueError, match="vacía"):
        Pila().desapilar()


@pytest.mark.parametrize("cuenta", [0, 1, 5])
def test_longitud(cuenta):
    pila = Pila()
    for numero in range(cuenta):
        pila.apilar(numero)
    assert len(pila) == cuenta
