import Domain
import Testing

@Suite("The score of a validation")
struct ValidationScoreTests {
  @Test("has either name and is a number")
  func scores() {
    #expect(ValidationScore.of(payload: #"{"validation_score":0.5,"score":1}"#) == 0.5)
    #expect(ValidationScore.of(payload: #"{"score":1}"#) == 1)
    #expect(ValidationScore.of(payload: #"{"validation_score":null,"score":0.25}"#) == 0.25)
    #expect(ValidationScore.of(payload: #"{"validation_score":"1"}"#) == nil)
    #expect(ValidationScore.of(payload: #"{"validation_score":true}"#) == nil)
    #expect(ValidationScore.of(payload: "") == nil)
  }
}
