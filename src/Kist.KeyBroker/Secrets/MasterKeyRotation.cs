using Kist.Formats;

namespace Kist.KeyBroker.Secrets;

/// <summary>
/// A change of master key while the broker runs: from then on the new key wraps, on every replica; what the earlier one
/// wrapped stays readable, and is wrapped anew bit by bit.
/// </summary>
sealed class MasterKeyRotation(MasterKeyRing ring, MasterKeyStore changes, TimeProvider time)
{
    /// <summary>Makes the key at a location the one that wraps.</summary>
    /// <param name="location">Where it is.</param>
    /// <param name="now">The time.</param>
    /// <param name="by">Who changes it.</param>
    /// <param name="record">Called with the new key's name, in the transaction of the change.</param>
    /// <exception cref="OperationFailedException">It cannot be opened, was used before, or somebody else changes the key just now.</exception>
    /// <exception cref="MalformedDataException">The location is none.</exception>
    public void Rotate(string location, DateTimeOffset now, string by, Action<string> record)
    {
        var current = ring.Current;
        var sequence = ring.Stamp + 1;
        var key = MasterKeyLocation.Open(location, time);
        var id = key.Id;
        try
        {
            // A key that comes back would make of the changes a circle, and what follows it doubtful.
            if (id == current.Id || changes.List().Any(c => c.Id == id || c.Predecessor == id))
                throw new OperationFailedException("change the master key", id, "it is or was the master key", "make a new one");
            var proof = current.Wrap(MasterKeyChange.Statement(id, location), MasterKeyChange.Context);
            if (!changes.Add(new MasterKeyChange(sequence, id, location, current.Id, proof, now, by), () => record(id)))
                throw new OperationFailedException("change the master key", id, "it was changed a moment ago", "look at kist broker master-key", isTransient: true);
        }
        catch
        {
            key.Dispose();
            throw;
        }

        ring.Adopt(key);
    }
}
