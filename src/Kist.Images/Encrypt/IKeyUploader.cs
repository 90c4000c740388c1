namespace Kist.Images;

/// <summary>Takes the keys of encrypted images: the key broker's administration.</summary>
public interface IKeyUploader
{
    /// <summary>Where the key goes, for messages.</summary>
    string Location { get; }

    /// <summary>Stores a key under its resource URI. A key that is there already under that name must not be replaced silently.</summary>
    Task UploadAsync(string keyId, ReadOnlyMemory<byte> key, CancellationToken cancellationToken);

    /// <summary>Sets the policy that says who may have resources (Rego).</summary>
    Task SetResourcePolicyAsync(string policy, CancellationToken cancellationToken);
}
