extension Migration {
  /// What can be found, by words and by meaning.
  ///
  /// `passages` holds the texts, whatever model is in use; `embeddings` the vectors of the active
  /// model, so that the queries of design-notes.md work on it as they stand. A passage waits for its
  /// vector while `waits` is true.
  static let passages = Migration(
    version: 8, name: "passages and embedding models",
    up: """
      -- Words of both languages: learners mix them, and a stem of the wrong one does little harm.
      CREATE FUNCTION hito_words(title text, content text) RETURNS tsvector
        LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT setweight(to_tsvector('spanish', title), 'A')
          || setweight(to_tsvector('english', title), 'A')
          || to_tsvector('spanish', content) || to_tsvector('english', content)
      $$;

      -- Any of the words: questions of people rarely share all of them with what answers them. The
      -- small words of one language are words to the other's dictionary, so they go before; where
      -- nothing else is left, they are what is searched for.
      CREATE FUNCTION hito_query(query text) RETURNS tsquery
        LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT replace(plainto_tsquery('spanish', n.told)::text, '&', '|')::tsquery
          || replace(plainto_tsquery('english', n.told)::text, '&', '|')::tsquery
        FROM (
          SELECT COALESCE(string_agg(word, ' ') FILTER (
            WHERE to_tsvector('spanish', word) <> '' AND to_tsvector('english', word) <> ''),
            left(query, 400)) AS told
          FROM (
            SELECT DISTINCT left(word, 100) AS word
            FROM regexp_split_to_table(left(query, 4000), '[^[:alnum:]_]+') AS word
            -- What a search costs grows with its words.
            LIMIT 64) words) n
      $$;

      CREATE TABLE passages (
        entity_type text NOT NULL CHECK (entity_type IN ('goal', 'course', 'code_snapshot')),
        entity_id uuid NOT NULL,
        chunk_number integer NOT NULL CHECK (chunk_number >= 0),
        user_id uuid NOT NULL REFERENCES users (id),
        title text NOT NULL CHECK (char_length(title) <= 1000),
        content text NOT NULL CHECK (char_length(content) <= 20000),
        content_hash bytea NOT NULL CHECK (octet_length(content_hash) = 32),
        language text NOT NULL CHECK (char_length(language) <= 32),
        document_path text NOT NULL CHECK (char_length(document_path) <= 500),
        anchor text NOT NULL CHECK (char_length(anchor) <= 500),
        words tsvector GENERATED ALWAYS AS (hito_words(title, content)) STORED,
        waits boolean NOT NULL,
        attempts integer NOT NULL DEFAULT 0,
        next_attempt_at timestamptz NOT NULL DEFAULT '-infinity',
        last_error text CHECK (char_length(last_error) <= 500),
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT passages_pkey PRIMARY KEY (entity_type, entity_id, chunk_number)
      );
      CREATE INDEX passages_words ON passages USING gin (words);
      CREATE INDEX passages_owner ON passages (user_id, entity_type);
      CREATE INDEX passages_document ON passages (entity_id, document_path)
        WHERE entity_type = 'course';
      CREATE INDEX passages_waiting ON passages (next_attempt_at, entity_id) WHERE waits;
      CREATE INDEX passages_waiting_entity ON passages (entity_id) WHERE waits;

      -- The courses whose material a learner may read: those enrolled in and those owned. Asked by
      -- policies too, which must not depend on the policies of what it reads.
      CREATE FUNCTION hito_readable_courses(learner uuid) RETURNS uuid[]
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT COALESCE(array_agg(id), '{}') FROM (
          SELECT c.id FROM courses c WHERE c.user_id = learner AND c.status <> 'deleted'
          UNION
          SELECT c.id FROM enrolments n JOIN courses c ON c.id = n.course_id
          WHERE n.user_id = learner AND n.is_active AND c.status <> 'deleted') readable
      $$;

      -- Who a reader's unit reads for (`ReaderRole`); nobody where that was not said.
      CREATE FUNCTION hito_caller() RETURNS uuid LANGUAGE sql STABLE AS $$
        SELECT NULLIF(current_setting('hito.caller', true), '')::uuid
      $$;

      -- The models that vectors are, or are being, made with.
      CREATE TABLE embedding_models (
        name text PRIMARY KEY CHECK (char_length(name) BETWEEN 1 AND 200),
        dimensions integer NOT NULL CHECK (dimensions BETWEEN 1 AND 2000),
        state text NOT NULL CHECK (state IN ('active', 'next')),
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT embedding_models_state_key UNIQUE (state)
      );
      INSERT INTO embedding_models (name, dimensions, state)
        VALUES ('use-multilingual-3', 512, 'active');

      -- How many vectors the next model has. Its table may take the other one's name at any moment.
      CREATE FUNCTION hito_next_count() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
      BEGIN
        RETURN (SELECT count(*) FROM embeddings_next);
      EXCEPTION WHEN undefined_table THEN RETURN 0;
      END
      $$;

      -- A course is found by those enrolled through a copy of its first chunk under their own id:
      -- the notes' query asks for user_id. Our own searches pass copies over.
      ALTER TABLE embeddings
        DROP CONSTRAINT embeddings_entity_chunk_key,
        ADD COLUMN is_copy boolean NOT NULL DEFAULT false,
        ADD CONSTRAINT embeddings_entity_chunk_key
          UNIQUE (entity_type, entity_id, chunk_number, user_id),
        -- A vector of 2 KiB would be moved out of its row, and each comparison would fetch it.
        ALTER COLUMN embedding SET STORAGE PLAIN;
      -- Half the size, for what is searched over many owners. Goals never are.
      CREATE INDEX embeddings_half ON embeddings
        USING hnsw ((embedding::halfvec(512)) halfvec_cosine_ops)
        WHERE entity_type <> 'goal' AND NOT is_copy;

      -- A learner's goals of some states without their rows, which lie all over the table.
      CREATE INDEX goals_owner_status ON goals (user_id, status, id);

      CREATE INDEX code_snapshots_examples ON code_snapshots (language, id)
        WHERE shared AND verdict = 'passed';
      """,
    down: .sql(
      """
      DROP INDEX code_snapshots_examples;
      DROP INDEX goals_owner_status;
      DELETE FROM embeddings WHERE is_copy;
      ALTER TABLE embeddings
        ALTER COLUMN embedding SET STORAGE EXTERNAL,
        DROP CONSTRAINT embeddings_entity_chunk_key,
        DROP COLUMN is_copy,
        ADD CONSTRAINT embeddings_entity_chunk_key UNIQUE (entity_type, entity_id, chunk_number);
      DROP TABLE embedding_models;
      DROP TABLE passages;
      DROP POLICY IF EXISTS hito_reader ON goals;
      DROP POLICY IF EXISTS hito_reader ON courses;
      DROP POLICY IF EXISTS hito_reader ON code_snapshots;
      DROP FUNCTION hito_next_count();
      DROP FUNCTION hito_caller();
      DROP FUNCTION hito_readable_courses(uuid);
      DROP FUNCTION hito_query(text);
      DROP FUNCTION hito_words(text, text);
      """))
}
