extension Migration {
  /// What a run found and decided is in its events; the row says where it stands and who drives it.
  static let agentRuns = Migration(
    version: 9, name: "runs of agents and use of models",
    up: """
      CREATE TABLE agent_runs (
        id uuid PRIMARY KEY,
        kind text NOT NULL CHECK (kind IN ('goal', 'feedback', 'advice')),
        user_id uuid NOT NULL REFERENCES users (id),
        caller_id uuid NOT NULL REFERENCES users (id),
        request jsonb NOT NULL CHECK (jsonb_typeof(request) = 'object'),
        status text NOT NULL CHECK (status IN (
          'running', 'awaiting_approval', 'completed', 'failed', 'cancelled', 'rejected')),
        version bigint NOT NULL CHECK (version > 0),
        owner text NOT NULL CHECK (char_length(owner) BETWEEN 1 AND 100),
        lease_until timestamptz NOT NULL,
        takeover_count integer NOT NULL DEFAULT 0 CHECK (takeover_count >= 0),
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL
      ) WITH (fillfactor = 70);
      -- Few at any time: what a server looks through for runs that another one left behind.
      CREATE INDEX agent_runs_running ON agent_runs (lease_until) WHERE status = 'running';

      CREATE TABLE model_usage (
        user_id uuid NOT NULL REFERENCES users (id),
        hour timestamptz NOT NULL,
        call_count bigint NOT NULL CHECK (call_count >= 0),
        prompt_tokens bigint NOT NULL CHECK (prompt_tokens >= 0),
        completion_tokens bigint NOT NULL CHECK (completion_tokens >= 0),
        cost_micros bigint NOT NULL CHECK (cost_micros >= 0),
        PRIMARY KEY (user_id, hour)
      ) WITH (fillfactor = 70);
      """,
    down: .sql(
      """
      DROP TABLE model_usage;
      DROP TABLE agent_runs;
      """))
}
