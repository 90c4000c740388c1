using System.Data.Common;

namespace Kist.KeyBroker.Storage;

/// <summary>Short forms of parameterised commands. Values only ever travel as parameters.</summary>
static class SqlExtensions
{
    public static int Execute(this DbConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var command = Prepare(connection, sql, parameters);
        try
        {
            return command.ExecuteNonQuery();
        }
        finally
        {
            StatementCache.Return(connection, command);
        }
    }

    /// <summary>The first column of the first row; default if there is no row, or it is null.</summary>
    public static T? Scalar<T>(this DbConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var command = Prepare(connection, sql, parameters);
        try
        {
            using var reader = command.ExecuteReader();
            return reader.Read() && !reader.IsDBNull(0) ? reader.GetFieldValue<T>(0) : default;
        }
        finally
        {
            StatementCache.Return(connection, command);
        }
    }

    /// <summary>The first row, or default if there is none.</summary>
    public static T? Single<T>(
        this DbConnection connection, string sql, Func<DbDataReader, T> read, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var command = Prepare(connection, sql, parameters);
        try
        {
            using var reader = command.ExecuteReader();
            return reader.Read() ? read(reader) : default;
        }
        finally
        {
            StatementCache.Return(connection, command);
        }
    }

    public static List<T> Query<T>(
        this DbConnection connection, string sql, Func<DbDataReader, T> read, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var rows = new List<T>();
        connection.Visit(sql, reader => rows.Add(read(reader)), parameters);
        return rows;
    }

    /// <summary>Shows every row, without keeping any.</summary>
    public static void Visit(
        this DbConnection connection, string sql, Action<DbDataReader> visit, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var command = Prepare(connection, sql, parameters);
        try
        {
            using var reader = command.ExecuteReader();
            while (reader.Read())
                visit(reader);
        }
        finally
        {
            StatementCache.Return(connection, command);
        }
    }

    public static byte[] Bytes(this DbDataReader reader, int column) => reader.GetFieldValue<byte[]>(column);

    public static string? Text(this DbDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    public static DateTimeOffset Time(this DbDataReader reader, int column) => DateTimeOffset.FromUnixTimeMilliseconds(reader.GetInt64(column));

    public static DateTimeOffset? OptionalTime(this DbDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.Time(column);

    private static DbCommand Prepare(DbConnection connection, string sql, ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var command = StatementCache.Rent(connection, sql);
        var known = command.Parameters.Count == parameters.Length;
        if (!known)
            command.Parameters.Clear();
        for (var i = 0; i < parameters.Length; i++)
        {
            var parameter = known ? command.Parameters[i] : command.CreateParameter();
            parameter.ParameterName = parameters[i].Name;
            parameter.Value = ToSql(parameters[i].Value);
            if (!known)
                command.Parameters.Add(parameter);
        }

        return command;
    }

    private static object ToSql(object? value) => value switch
    {
        null => DBNull.Value,
        DateTimeOffset time => time.ToUnixTimeMilliseconds(),
        bool flag => flag ? 1L : 0L,
        int number => (long)number,
        _ => value,
    };
}
