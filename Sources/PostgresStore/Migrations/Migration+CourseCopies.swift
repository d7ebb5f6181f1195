extension Migration {
  /// Courses whose copies for those enrolled (`embeddings.is_copy`) are behind, and how far the work is:
  /// a course can have more learners than one statement has time for.
  static let courseCopies = Migration(
    version: 16, name: "copies of courses in portions",
    up: """
      CREATE TABLE course_copies (
        course_id uuid PRIMARY KEY REFERENCES courses (id) ON DELETE CASCADE,
        -- The copies of the learners up to here are as they should be.
        after_user_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000'
      ) WITH (fillfactor = 50);
      """,
    down: .sql("DROP TABLE course_copies"))
}
