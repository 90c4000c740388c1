namespace Kist.Host;

/// <summary>Kinds of volumes.</summary>
public enum RunVolumeKind
{
    /// <summary>Files of the owner's, pinned by digest, read-only.</summary>
    Files,

    /// <summary>Memory of the guest.</summary>
    Memory,

    /// <summary>A disk of this host, encrypted and authenticated under a key that the guest makes and forgets.</summary>
    Disk,

    /// <summary>A file of this host's that outlives the guest, encrypted and authenticated under a key of the broker.</summary>
    Block,
}
