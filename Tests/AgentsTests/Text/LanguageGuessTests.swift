import Agents
import Domain
import Foundation
import Testing

@Suite struct `The guess of a language` {
  static let spanish = [
    "Aprender FastAPI", "Crear una API REST completa", "Quiero aprender a programar desde cero.",
    "Escribir una ruta que devuelva JSON y probarla con pytest",
    "Dominar las funciones de ventana de SQL",
    "¿Cómo se valida el cuerpo de una petición?",
    "Desplegar un servicio en contenedores con Docker",
    "Entender la diferencia entre hilos y procesos", "Leer los primeros pasos de la documentación",
    "Prepararme para la certificación de AWS en tres meses", "MEJORAR MI INGLÉS TÉCNICO",
    "No me gusta nada el álgebra lineal, pero la necesito.",
    "Añadir autenticación con tokens JWT a la API",
    "Estudiar una hora al día", "Las pruebas pasan", "El servidor responde 200 en la ruta raíz",
    "Una rama es un nombre que apunta a un cambio y avanza con él.",
    "Se elige, se borran las marcas, se comprueba que todo funciona y se guarda.",
    "Instalar `fastapi` y `uvicorn`", "Usar Depends() para inyectar la sesión de la base de datos",
    "Practicar de nuevo «Write a route»",
    "Puedes explicar con tus palabras lo que dice el capítulo",
    "Cocinar platos vegetarianos para toda la semana", "Tocar tres canciones con la guitarra",
    "Correr diez kilómetros sin parar antes del verano", "Hablar en público sin miedo",
    "Montar un servidor de correo propio", "Configurar un proxy inverso con nginx y certificados",
    "Aprender a leer partituras", "Escribir un cuento corto cada semana",
    "Dibujar retratos a lápiz",
    "Este plan no lo ha escrito un modelo de lenguaje", "Hay que hacerlo antes del lunes",
  ]
  static let english = [
    "Learn FastAPI", "Create a complete REST API", "I want to learn programming from scratch.",
    "Write a route that returns JSON and test it with pytest", "Master SQL window functions",
    "How is a request body validated?", "Deploy a service in containers with Docker",
    "Understand the difference between threads and processes", "Read the first steps of the docs",
    "Prepare for the AWS certification in three months", "IMPROVE MY TECHNICAL SPANISH",
    "I do not like linear algebra at all, but I need it.",
    "Add authentication with JWT tokens to the API",
    "Study one hour a day", "The tests pass", "The server answers 200 on the root route",
    "A branch is a name that points to a change and moves on with it.",
    "You choose, remove the marks, check that everything works and save.",
    "Install `fastapi` and `uvicorn`", "Use Depends() to inject the database session",
    "Practise again «Escribir una ruta»", "You can explain in your own words what the chapter says",
    "Cook vegetarian dishes for the whole week", "Play three songs on the guitar",
    "Run ten kilometres without stopping before summer", "Speak in public without fear",
    "Set up my own mail server", "Configure a reverse proxy with nginx and certificates",
    "Learn to read sheet music", "Write a short story every week", "Draw portraits with a pencil",
    "No language model wrote this plan", "It has to be done before Monday",
  ]

  @Test(arguments: spanish) func `knows Spanish`(text: String) {
    let guess = LanguageGuess.language(of: text)
    #expect(guess.language == "es", "\(text): \(guess)")
  }

  @Test(arguments: english) func `knows English`(text: String) {
    let guess = LanguageGuess.language(of: text)
    #expect(guess.language == "en", "\(text): \(guess)")
  }

  @Test(arguments: [
    "", " ", "FastAPI", "12345", "🎯🎯", "Docker, Kubernetes, PostgreSQL", "`the code of it`",
    "https://example.org/the/of/and", "get_the_user(of_this)", "def f(x): return x", "no", "a",
    "PWNED",
    "?!…", "NumPy 2.0",
  ]) func `does not guess where nothing tells`(text: String) {
    #expect(LanguageGuess.language(of: text).language == nil, "\(text)")
  }

  @Test(arguments: [
    "Je voudrais apprendre à programmer avec vous et ne pas oublier", "我想学习编程从零开始",
    "Ich möchte Schwimmen lernen und die Straße überqueren, aber nicht allein",
    "Я хочу научиться программировать",
    "Eu não sei programar, mas você pode me ensinar isso com calma",
  ]) func `knows what is neither`(text: String) {
    #expect(LanguageGuess.language(of: text).language == LanguageGuess.other, "\(text)")
  }

  @Test func `is not led astray by code in a text`() {
    let spanish = """
      La función recorre la lista y devuelve el primero que cumple la condición.
      ```python
      def find_the_first(of_the_items): # return the first of the items that is good for this
          return next(item for item in of_the_items if item.is_good)
      ```
      """
    #expect(LanguageGuess.language(of: spanish).language == "es")
    let english = "Rename `el_usuario_de_la_base` to user, and call `crear_la_tabla()` before it."
    #expect(LanguageGuess.language(of: english).language == "en")
  }

  @Test(arguments: ["course-es", "course-en"]) func `knows our courses`(name: String) throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Data/\(name)").standardizedFileURL
    let files = try FileManager.default.contentsOfDirectory(
      at: folder, includingPropertiesForKeys: nil
    ).filter { $0.pathExtension == "md" }
    #expect(files.count >= 5)
    for file in files {
      let text = try String(contentsOf: file, encoding: .utf8)
      #expect(LanguageGuess.language(of: text).language == String(name.suffix(2)), "\(file)")
    }
  }

  @Test func `stays within 0 and 1, and is sure where there is much`() {
    for text in Self.spanish + Self.english {
      #expect((0...1).contains(LanguageGuess.language(of: text).confidence))
    }
    let long = Self.spanish.joined(separator: " ")
    #expect(LanguageGuess.language(of: long).confidence > 0.8)
    #expect(LanguageGuess.language(of: String(repeating: "` the", count: 1 << 18)).confidence <= 1)
  }
}
