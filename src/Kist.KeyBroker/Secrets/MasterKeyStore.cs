using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using Kist.KeyBroker.Storage;

namespace Kist.KeyBroker.Secrets;

/// <summary>A change of master key: the key that follows, and a proof by the one before it.</summary>
/// <param name="Sequence">Counts from 1.</param>
/// <param name="Id">The new key.</param>
/// <param name="Location">Where it is (<see cref="MasterKeyLocation"/>).</param>
/// <param name="Predecessor">The key before it.</param>
/// <param name="Proof">
/// <see cref="Statement"/>, wrapped by the predecessor: whoever writes to the database but has not that key cannot make a
/// broker wrap secrets with a key of theirs.
/// </param>
/// <param name="At">When.</param>
/// <param name="By">Who changed it.</param>
sealed record MasterKeyChange(long Sequence, string Id, string Location, string Predecessor, byte[] Proof, DateTimeOffset At, string By)
{
    /// <summary>What the proof says.</summary>
    public static byte[] Statement(string id, string location) => SHA256.HashData(Encoding.UTF8.GetBytes($"{id}\n{location}"));

    /// <summary>The context that proofs are wrapped for.</summary>
    public static ReadOnlySpan<byte> Context => "kist master key change 1"u8;
}

/// <summary>The changes of master key, which all replicas follow.</summary>
sealed class MasterKeyStore(Database database)
{
    /// <summary>The number of the last change; 0 if there was none.</summary>
    public long Last() => database.Read(Last);

    /// <summary>As <see cref="Last()"/>, inside a transaction.</summary>
    public static long Last(DbConnection connection) => connection.Scalar<long>("SELECT MAX(sequence) FROM master_key");

    public IReadOnlyList<MasterKeyChange> List() => database.Read(connection => connection.Query(
        "SELECT sequence, id, location, predecessor, proof, created_at, created_by FROM master_key ORDER BY sequence",
        r => new MasterKeyChange(r.GetInt64(0), r.GetString(1), r.GetString(2), r.GetString(3), r.Bytes(4), r.Time(5), r.GetString(6))));

    /// <summary>Adds a change, and calls <paramref name="record"/> in its transaction. False if there was another since.</summary>
    public bool Add(MasterKeyChange change, Action record) => database.Write(connection =>
    {
        if (Last(connection) != change.Sequence - 1)
            return false;
        connection.Execute(
            """
            INSERT INTO master_key (sequence, id, location, predecessor, proof, created_at, created_by)
            VALUES (@sequence, @id, @location, @predecessor, @proof, @at, @by)
            """,
            ("@sequence", change.Sequence), ("@id", change.Id), ("@location", change.Location), ("@predecessor", change.Predecessor),
            ("@proof", change.Proof), ("@at", change.At), ("@by", change.By));
        record();
        return true;
    });

    /// <summary>How many versions of secrets each master key wraps.</summary>
    public IReadOnlyDictionary<string, long> Usage() => database.Read(connection => connection.Query(
        "SELECT master_key, COUNT(*) FROM resource_version GROUP BY master_key", r => (Id: r.GetString(0), Count: r.GetInt64(1)))).ToDictionary(r => r.Id, r => r.Count);
}
