using System.Security.Cryptography;
using Kist.Formats;

namespace Kist.KeyBroker.Secrets;

/// <summary>
/// The master key that wraps now, and others that only unwrap. Which one wraps is the last of the changes that all replicas
/// share, if they begin at the key that this broker was started with; otherwise it is that key itself.
/// </summary>
/// <param name="configured">The key that the broker was started with.</param>
/// <param name="others">Keys that it was started with besides, to unwrap only.</param>
/// <param name="changes">The changes since.</param>
/// <param name="time">For keys that are opened because of a change.</param>
sealed class MasterKeyRing(IMasterKey configured, IReadOnlyList<IMasterKey> others, MasterKeyStore changes, TimeProvider time) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly IMasterKey _configured = configured;
    private readonly Dictionary<string, IMasterKey> _known = others.Prepend(configured).DistinctBy(k => k.Id).ToDictionary(k => k.Id, StringComparer.Ordinal);
    private readonly List<IMasterKey> _opened = [];
    private IMasterKey _current = configured;
    private long _sequence;

    /// <summary>The key that wraps.</summary>
    /// <exception cref="OperationFailedException">There was a change, and the new key cannot be opened or the change was not made by its predecessor.</exception>
    public IMasterKey Current
    {
        get
        {
            Follow(changes.Last());
            lock (_lock)
                return _current;
        }
    }

    /// <summary>The change that <see cref="Current"/> stands for: what was wrapped before a later one must be wrapped again.</summary>
    public long Stamp
    {
        get
        {
            lock (_lock)
                return _sequence;
        }
    }

    public (string Id, byte[] Wrapped) Wrap(ReadOnlySpan<byte> key, ReadOnlySpan<byte> context)
    {
        var current = Current;
        return (current.Id, current.Wrap(key, context));
    }

    public SecretBytes Unwrap(string id, ReadOnlySpan<byte> wrapped, ReadOnlySpan<byte> context) => Find(id).Unwrap(wrapped, context);

    /// <summary>Makes a key known that was opened for a change. It is disposed with the ring.</summary>
    public void Adopt(IMasterKey key)
    {
        lock (_lock)
        {
            if (_known.TryAdd(key.Id, key))
                _opened.Add(key);
            else
                key.Dispose();
        }
    }

    /// <summary>Disposes the keys that were opened here; those it was started with are their owner's.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            for (var i = _opened.Count - 1; i >= 0; i--)
                _opened[i].Dispose();
            _opened.Clear();
        }
    }

    private IMasterKey Find(string id)
    {
        lock (_lock)
        {
            if (_known.TryGetValue(id, out var key))
                return key;
        }

        Follow(long.MaxValue);
        lock (_lock)
        {
            return _known.GetValueOrDefault(id)
                ?? throw new OperationFailedException("unwrap a key", id, "this master key is not at hand", "start the broker with the earlier master key as well");
        }
    }

    private void Follow(long last)
    {
        lock (_lock)
        {
            if (last == _sequence)
                return;
            var (current, sequence) = (_configured, 0L);
            foreach (var change in changes.List())
            {
                sequence = change.Sequence;
                if (change.Predecessor == current.Id)
                    current = Successor(current, change);
            }

            (_current, _sequence) = (current, sequence);
        }
    }

    private IMasterKey Successor(IMasterKey predecessor, MasterKeyChange change)
    {
        using (var proof = predecessor.Unwrap(change.Proof, MasterKeyChange.Context))
        {
            if (!CryptographicOperations.FixedTimeEquals(proof.Span, MasterKeyChange.Statement(change.Id, change.Location)))
                throw new OperationFailedException("follow a change of master key", change.Id, "the change was not made by the key before it", "restore the database from its backup");
        }

        if (_known.TryGetValue(change.Id, out var known))
            return known;
        var key = MasterKeyLocation.Open(change.Location, time);
        if (key.Id != change.Id)
        {
            key.Dispose();
            throw new OperationFailedException("follow a change of master key", change.Location, $"there is {key.Id}, not {change.Id}", "put the right key there on this replica, too");
        }

        _known.Add(key.Id, key);
        _opened.Add(key);
        return key;
    }
}
