namespace Kist.Pods.Machines;

/// <summary>A byte stream between host and guest, whatever carries it.</summary>
public interface IGuestChannel
{
    /// <summary>What the guest knows it by.</summary>
    string Name { get; }

    /// <summary>The stream; it may be there before the guest listens. Whoever takes it owns it.</summary>
    Stream Open();
}
