/// The small words that tell languages apart, folded (lower case, no accents). A word that both
/// Spanish and English use (`a`, `no`, `me`, `once`, `has`…) is in neither list.
enum FunctionWords {
  static let spanish = set(
    """
    el la los las un una unos unas de del al y o u e en por para que se su sus lo le les mi mis tu \
    tus nos nuestro nuestra es son era eran fue ser estar esta este esto estos estas ese esa eso \
    esos esas aquel aquella estan estoy soy eres somos hay como cuando donde quien cual cuales cuanto \
    porque pues pero sino aunque mas menos muy tan tanto tambien tampoco ya aun todavia siempre nunca \
    antes despues luego ahora hoy entre hasta desde hacia sobre bajo segun durante mediante tras \
    cada todo toda todos todas otro otra otros otras mismo misma algun alguna algunos algunas ningun \
    ninguna nada algo alguien nadie mucho mucha muchos muchas poco poca varios varias si te yo ella \
    ellos ellas usted ustedes nosotros puede puedes pueden puedo debe debes deben tiene tienes tienen \
    tengo hace haces hacen hacer tener poder quiero quiere quieres ha han he hemos haya sea sean esten \
    asi solo cuyo cuya con sin dos tres cuatro cinco primer primera primero
    """)

  static let english = set(
    """
    the an of to and or in on at by for with from into onto over under is are was were be been being \
    am it its this that these those there here what when where which who whom whose why how if then \
    than as but because while until although though not nor only also too very so such do does did \
    done doing have had having can could should would will shall may might must my your our their his \
    her they them we us you i he she each every all any some both few more most other another same \
    own after before during between through without within about against up down out off again just \
    own yet still ever never always let lets get gets using use uses used want need like one two \
    three first
    """)

  /// Those of neighbours, as far as Spanish and English do not share them.
  static let others = set(
    """
    le les des une est dans pour avec sur pas plus vous nous je il elle qui ce cette aux du et ou sont \
    votre notre apprendre comment leur cet \
    nao voce uma um com sao dos das em ao pelo pela seu sua isso isto ele ela aprender muito tambem foi \
    mais quando como esta \
    il lo gli che di per non sono della delle degli nel nella questo questa imparare anche piu come \
    der die das und ist nicht ein eine einen mit fur auf von zu den dem des ich sie wir ihr auch wie \
    lernen oder aber werden wird zum zur sich
    """
  ).subtracting(spanish).subtracting(english).subtracting(sharedContent)

  static let all = spanish.union(english).union(set("a no me has once"))

  /// Words of other meaning in a second language.
  private static let sharedContent: Set<String> = ["aprender", "come", "die", "den", "plus", "des"]

  /// Words of learning and programming that only one of the two has: titles are too short to have
  /// many small words.
  static let spanishContent = set(
    """
    aprender crear escribir leer hacer usar dominar entender comprender construir mejorar estudiar \
    practicar programar configurar desplegar probar comprobar explicar repasar desarrollar disenar \
    conocer preparar resolver anadir agregar curso cursos tarea tareas objetivo objetivos prueba \
    pruebas codigo datos ruta rutas pagina paginas archivo archivos fichero lenguaje aplicacion \
    servidor peticion respuesta usuario usuarios clase clases funcion funciones basico basica basicos \
    avanzado avanzada programacion desarrollo ejercicio ejercicios ingles espanol matematicas \
    estadistica algebra calculo historia musica cocina semana semanas dia dias ano anos meses nivel \
    trabajo examen libro tiempo guia dibujar tocar cocinar correr hablar montar instalar introduccion primeros pasos consulta consultas tabla tablas
    """)

  static let englishContent = set(
    """
    learn create write read make master understand build improve study practice practise configure \
    deploy check explain review develop design know prepare solve add course courses task tasks goal \
    goals code data route routes page pages file files language application request response \
    user users class classes function functions basics advanced programming development exercise \
    exercises spanish mathematics statistics history cooking week weeks day days year years \
    months level work exam book time guide introduction steps query queries table tables writing reading building learning beginner beginners again draw cook play speak install
    """)

  private static func set(_ words: String) -> Set<String> {
    Set(words.split { $0 == " " || $0 == "\n" }.map(String.init))
  }
}
