import Domain
import Testing

@Suite struct `An enrolment` {
  private static let learner = EntityID(high: 1, low: 1)
  private static let other = EntityID(high: 2, low: 2)
  private static let now = Timestamp(microsecondsSinceEpoch: 1_767_225_600_000_000)

  private enum Step: Hashable {
    case enrols
    /// Another user who has to ask.
    case invited
    /// Another user who need not.
    case enrolledDirectly
    case accepts
    case declines
    case leaves
    case removed
  }

  /// The types of the events of the steps; nil for one that changes nothing, empty for one that is
  /// refused.
  private static func play(_ steps: [Step]) -> (enrolment: Enrolment, events: [String?]) {
    var enrolment = Enrolment(
      new: EntityID(high: 3, low: 3), courseID: EntityID(high: 4, low: 4), userID: learner, at: now)
    let events = steps.map { step -> String? in
      do throws(DomainError) {
        let type: EventType?
        switch step {
        case .enrols: type = enrolment.enter(by: learner, mayBeDirect: false, at: now)
        case .invited: type = enrolment.enter(by: other, mayBeDirect: false, at: now)
        case .enrolledDirectly: type = enrolment.enter(by: other, mayBeDirect: true, at: now)
        case .accepts: type = try enrolment.accept(at: now)
        case .declines: type = try enrolment.decline(at: now)
        case .leaves: type = try enrolment.end(by: learner, at: now)
        case .removed: type = try enrolment.end(by: other, at: now)
        }
        return type?.rawValue
      } catch {
        return ""
      }
    }
    return (enrolment, events)
  }

  @Test func `goes from one state to another by what its learner wants`() {
    let paths: [(steps: [Step], state: EnrolmentState, last: String?)] = [
      ([.enrols], .active, "course.enrolled"),
      ([.enrols, .enrols], .active, nil),
      ([.invited], .invited, "course.learner_invited"),
      ([.invited, .invited], .invited, nil),
      ([.invited, .accepts], .active, "course.enrolled"),
      ([.invited, .accepts, .accepts], .active, nil),
      ([.invited, .enrols], .active, "course.enrolled"),
      ([.invited, .declines], .declined, "course.invitation_declined"),
      ([.invited, .declines, .declines], .declined, nil),
      ([.invited, .declines, .accepts], .declined, ""),
      ([.invited, .declines, .enrols], .active, "course.enrolled"),
      ([.invited, .accepts, .declines], .left, "course.left"),
      ([.invited, .accepts, .declines, .declines], .left, nil),
      ([.invited, .leaves], .declined, "course.invitation_declined"),
      ([.invited, .removed], .withdrawn, "course.invitation_withdrawn"),
      ([.invited, .removed, .accepts], .withdrawn, ""),
      ([.invited, .removed, .declines], .withdrawn, ""),
      ([.invited, .removed, .removed], .withdrawn, ""),
      ([.enrols, .leaves], .left, "course.left"),
      ([.enrols, .leaves, .leaves], .left, ""),
      ([.enrols, .leaves, .accepts], .left, ""),
      ([.enrols, .leaves, .invited], .invited, "course.learner_invited"),
      ([.enrols, .removed, .invited], .invited, "course.learner_invited"),
      ([.enrolledDirectly], .active, "course.enrolled"),
      ([.enrolledDirectly, .removed, .enrolledDirectly], .active, "course.enrolled"),
    ]
    for (steps, state, last) in paths {
      let (enrolment, events) = Self.play(steps)
      #expect(enrolment.state == state, "\(steps)")
      #expect(events.last == last, "\(steps)")
      #expect(enrolment.isActive == (state == .active))
      // A version for each event, and none for what changes nothing.
      #expect(enrolment.version == Int64(events.count { $0 != nil && $0 != "" }), "\(steps)")
    }
  }

  @Test func `is not made active without being asked again, once its learner said no`() {
    for steps: [Step] in [
      [.enrols, .leaves], [.invited, .declines], [.enrolledDirectly, .leaves],
      [.enrolledDirectly, .declines], [.enrols, .leaves, .invited],
      [.enrols, .leaves, .invited, .removed], [.invited], [.invited, .removed],
    ] {
      #expect(Self.play(steps + [.enrolledDirectly]).enrolment.state == .invited, "\(steps)")
    }
  }

  @Test func `says who made it what it is, and whether its learner was asked`() {
    for (steps, changedBy, isDirect): ([Step], EntityID, Bool) in [
      ([.enrols], Self.learner, false), ([.invited], Self.other, false),
      ([.invited, .accepts], Self.learner, false), ([.enrolledDirectly], Self.other, true),
      ([.enrolledDirectly, .leaves, .enrols], Self.learner, false),
      ([.enrolledDirectly, .removed, .invited], Self.other, false),
      ([.enrols, .removed], Self.other, false),
    ] {
      let enrolment = Self.play(steps).enrolment
      #expect(enrolment.changedBy == changedBy && enrolment.isDirect == isDirect, "\(steps)")
    }
  }

  @Test func `never goes back in time`() {
    var enrolment = Self.play([.enrols]).enrolment
    let before = Self.now.advanced(by: .seconds(-60))
    #expect(throws: Never.self) { try enrolment.end(by: Self.learner, at: before) }
    #expect(enrolment.updatedAt == Self.now)
  }
}
