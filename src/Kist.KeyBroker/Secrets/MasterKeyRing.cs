using Kist.Formats;

namespace Kist.KeyBroker.Secrets;

/// <summary>The master key that wraps now, and earlier ones that only unwrap until everything was wrapped anew.</summary>
sealed class MasterKeyRing(IMasterKey current, IReadOnlyList<IMasterKey> earlier)
{
    public IMasterKey Current { get; } = current;

    public (string Id, byte[] Wrapped) Wrap(ReadOnlySpan<byte> key, ReadOnlySpan<byte> context) =>
        (Current.Id, Current.Wrap(key, context));

    public SecretBytes Unwrap(string id, ReadOnlySpan<byte> wrapped, ReadOnlySpan<byte> context) => Find(id).Unwrap(wrapped, context);

    private IMasterKey Find(string id)
    {
        if (Current.Id == id)
            return Current;
        return earlier.FirstOrDefault(k => k.Id == id)
            ?? throw new OperationFailedException("unwrap a key", id, "this master key is not at hand", "start the broker with the earlier master key as well");
    }
}
