extension Migration {
  /// The documents that courses are made of. What is found of them are passages of the course.
  static let courseDocuments = Migration(
    version: 10, name: "documents of courses",
    up: """
      CREATE TABLE course_documents (
        id uuid PRIMARY KEY,
        course_id uuid NOT NULL REFERENCES courses (id),
        path text COLLATE "C" NOT NULL CHECK (char_length(path) BETWEEN 1 AND 500),
        title text NOT NULL CHECK (char_length(title) <= 200),
        language text NOT NULL CHECK (language IN ('es', 'en')),
        format text NOT NULL CHECK (format IN ('markdown', 'html', 'plain')),
        content text NOT NULL CHECK (octet_length(content) <= 2097152),
        content_hash bytea NOT NULL CHECK (octet_length(content_hash) = 32),
        byte_count integer NOT NULL CHECK (byte_count BETWEEN 0 AND 2097152),
        ordinal integer NOT NULL CHECK (ordinal BETWEEN 1 AND 200000),
        section_count integer NOT NULL CHECK (section_count BETWEEN 0 AND 5000),
        chunk_count integer NOT NULL CHECK (chunk_count BETWEEN 0 AND 8192),
        is_deleted boolean NOT NULL,
        version bigint NOT NULL CHECK (version > 0),
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT course_documents_path_key UNIQUE (course_id, path),
        CONSTRAINT course_documents_ordinal_key UNIQUE (course_id, ordinal),
        CONSTRAINT course_documents_deleted_is_empty CHECK (NOT is_deleted OR content = '')
      );
      """,
    down: .sql("DROP TABLE course_documents"))
}
