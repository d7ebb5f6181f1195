/// Words that say that something is done, folded.
enum Actions {
  /// Whether a folded word is an action in the language; in either where the language is neither.
  static func isAction(_ word: String, language: String) -> Bool {
    switch language {
    case "es": isSpanish(word)
    case "en": isEnglish(word)
    default: isSpanish(word) || isEnglish(word)
    }
  }

  /// An infinitive, also with a pronoun after it, or an order in one of the common verbs.
  private static func isSpanish(_ word: String) -> Bool {
    if imperatives.contains(word) || shortInfinitives.contains(word) { return true }
    var stem = Substring(word)
    for pronoun in pronouns where stem.utf8.count > pronoun.utf8.count + 4 {
      if stem.hasSuffix(pronoun) {
        stem = stem.dropLast(pronoun.count)
        break
      }
    }
    guard stem.utf8.count >= 4, !nouns.contains(String(stem)) else { return false }
    return stem.hasSuffix("ar") || stem.hasSuffix("er") || stem.hasSuffix("ir")
  }

  private static let pronouns = [
    "selos", "selas", "selo", "sela", "los", "las", "les", "lo", "la", "le", "se", "te", "nos",
    "me",
  ]
  private static let shortInfinitives: Set<String> = ["ir", "ser", "ver", "dar", "oir"]
  /// Words that end like an infinitive and are none.
  private static let nouns: Set<String> = [
    "lugar", "hogar", "taller", "mujer", "ayer", "cualquier", "primer", "tercer", "placer",
    "cancer",
    "caracter", "alfiler", "militar", "popular", "similar", "regular", "familiar", "particular",
    "singular", "escolar", "solar", "polar", "lunar", "dolar", "mar", "bar", "par", "azucar",
    "collar",
    "pilar", "celular", "modular", "circular", "server", "docker", "router", "controller", "helper",
    "worker", "container", "parser", "layer", "user", "number", "header", "folder", "compiler",
    "over",
    "super", "poster", "master", "twitter", "error", "manager", "logger", "provider", "reducer",
    "observer", "linker", "buffer", "pointer", "listener", "handler", "flutter", "seminar",
    "calendar",
    "jupyter", "lider", "poder", "deber", "ajedrez", "auxiliar", "ejemplar", "estelar", "vulgar",
  ]
  private static let imperatives = set(
    """
    crea cree escribe escriba lee lea haz haga implementa implemente instala instale configura \
    configure anade agrega agregue define defina disena disene prueba pruebe comprueba compruebe \
    verifica verifique ejecuta ejecute despliega despliegue documenta documente explica explique \
    compara compare resuelve resuelva practica practique estudia estudie repasa repase prepara \
    prepare construye construya desarrolla desarrolle usa use utiliza utilice conecta conecte sube \
    suba publica publique mide mida mejora mejore refactoriza optimiza analiza analice investiga \
    investigue elige elija completa complete corrige corrija revisa revise convierte convierta \
    calcula calcule dibuja dibuje graba grabe presenta presente aprende aprenda entiende memoriza \
    resume resuma traduce traduzca escucha escuche habla hable monta monte aplica aplique modela \
    modele organiza organice planifica planifique identifica identifique busca busque descarga \
    descargue importa importe exporta exporte integra integre automatiza programa programe depura \
    depure termina termine pon ponga guarda guarde separa separe valida valide protege proteja \
    clona clone abre abra reproduce reproduzca demuestra demuestre deduce deduzca toca ensaya
    """)

  private static func isEnglish(_ word: String) -> Bool {
    if verbs.contains(word) { return true }
    guard word.utf8.count >= 6, word.hasSuffix("ing") else { return false }
    return !ings.contains(word)
  }

  private static let ings: Set<String> = [
    "string", "during", "nothing", "something", "anything", "everything", "spring", "evening",
    "morning", "ceiling", "sibling", "interesting", "following", "missing", "existing",
  ]
  private static let verbs = set(
    """
    create write read make implement install configure add define design test check verify run deploy \
    document explain compare solve practice practise study review prepare build develop use connect \
    upload publish measure improve refactor optimize optimise analyze analyse research choose pick \
    complete finish fix correct convert calculate compute draw record present learn understand \
    memorize memorise summarize summarise translate listen speak set apply model organize organise \
    plan identify find search download import export integrate automate program code debug save split \
    validate protect clone open reproduce prove derive play rehearse try do go take give show start \
    stop handle parse render style query insert update delete remove replace rename move merge push \
    pull commit fetch return send receive store load cache log monitor profile secure authenticate \
    authorize register sketch outline list count sort filter map draft edit watch attend join ask \
    answer discuss teach master explore experiment extend wrap package containerize migrate model \
    seed mock simulate train evaluate label clean collect visualize visualise plot describe trace \
    inspect enable disable cover repeat work keep
    """)

  private static func set(_ words: String) -> Set<String> {
    Set(words.split { $0 == " " || $0 == "\n" }.map(String.init))
  }
}
