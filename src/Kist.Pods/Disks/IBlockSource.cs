namespace Kist.Pods.Disks;

/// <summary>What a served disk reads: bytes by offset, which may take their time.</summary>
public interface IBlockSource
{
    /// <summary>Length in bytes; it does not change.</summary>
    long Length { get; }

    /// <summary>Fills the buffer. An exception becomes an I/O error in the guest.</summary>
    Task ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken);
}
