internal import EventLog

/// What all subscriptions read from and ask: one object, however many they are.
final class EventSources: Sendable {
  let pages: EventPages
  let windows: EventWindows
  let hub: EventHub
  let visibility: EventVisibility
  let cursors: CursorCodec

  init(
    pages: EventPages, windows: EventWindows, hub: EventHub, visibility: EventVisibility,
    cursors: CursorCodec
  ) {
    self.pages = pages
    self.windows = windows
    self.hub = hub
    self.visibility = visibility
    self.cursors = cursors
  }
}
