class Pila:
    def __init__(self):
        self._elementos = []

    def apilar(self, elemento):
        self._elementos.append(elemento)

    def desapilar(self):
        if not self._elementos:
            raise ValueError("la pila está vacía")
        return self._elementos.pop()

    def __len__(self):
        return len(self._elementos)
