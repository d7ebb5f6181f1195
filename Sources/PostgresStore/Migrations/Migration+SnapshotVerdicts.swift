extension Migration {
  /// What code snapshots need beyond the columns that design-notes.md names. The old columns stay
  /// as they are, and keep saying what its queries ask: `validation_passed` and
  /// `validation_score` follow from the verdict.
  static let snapshotVerdicts = Migration(
    version: 6, name: "verdicts and sharing of code snapshots",
    up: """
      ALTER TABLE code_snapshots
        ADD COLUMN code_hash bytea CHECK (octet_length(code_hash) = 32),
        ADD COLUMN course_id uuid REFERENCES courses (id),
        ADD COLUMN reference_solution boolean NOT NULL DEFAULT false,
        ADD COLUMN verdict text
          CHECK (verdict IN ('passed', 'failed', 'inconclusive', 'errored')),
        ADD COLUMN provenance jsonb CHECK (jsonb_typeof(provenance) = 'object'),
        ADD COLUMN shared boolean NOT NULL DEFAULT false;
      UPDATE code_snapshots SET code_hash = sha256(convert_to(code_content, 'UTF8'));
      ALTER TABLE code_snapshots
        ALTER COLUMN code_hash SET NOT NULL,
        ADD CONSTRAINT code_snapshots_reference_course
          CHECK (reference_solution = (course_id IS NOT NULL)),
        ADD CONSTRAINT code_snapshots_verdict_passed
          CHECK (verdict IS NULL OR validation_passed IS NOT DISTINCT FROM
            CASE verdict WHEN 'passed' THEN true WHEN 'failed' THEN false END),
        ADD CONSTRAINT code_snapshots_verdict_provenance
          CHECK ((verdict IS NULL) = (provenance IS NULL));
      -- For the list of everybody's only, which names the condition (it always holds): otherwise
      -- generic plans of the notes' queries take this index instead of theirs.
      CREATE INDEX code_snapshots_created ON code_snapshots (created_at, id) WHERE version > 0;
      CREATE INDEX code_snapshots_task ON code_snapshots (task_id, created_at, id)
        WHERE task_id IS NOT NULL;
      CREATE INDEX code_snapshots_goal ON code_snapshots (goal_id) WHERE goal_id IS NOT NULL;
      CREATE INDEX code_snapshots_course ON code_snapshots (course_id)
        WHERE course_id IS NOT NULL;
      """,
    // What rests on the new columns goes with them; these three indexes do not.
    down: .sql(
      """
      DROP INDEX code_snapshots_created, code_snapshots_task, code_snapshots_goal;
      ALTER TABLE code_snapshots
        DROP COLUMN shared,
        DROP COLUMN provenance,
        DROP COLUMN verdict,
        DROP COLUMN reference_solution,
        DROP COLUMN course_id,
        DROP COLUMN code_hash;
      """))
}
