using Kist.Formats;

namespace Kist.Kubernetes;

/// <summary>A remark about a manifest.</summary>
/// <param name="IsRefusal">True if the workload cannot run under a policy; false for a warning.</param>
/// <param name="Place">File, line and field.</param>
/// <param name="Reason">What is wrong, or what to know.</param>
/// <param name="Hint">What to do; null if nothing.</param>
public sealed record Remark(bool IsRefusal, string Place, string Reason, string? Hint);

/// <summary>Collects what there is to say of manifests, so that everything is said at once.</summary>
public sealed class ManifestReview
{
    private readonly List<Remark> _remarks = [];

    /// <summary>All remarks, in the order of reading.</summary>
    public IReadOnlyList<Remark> Remarks => _remarks;

    /// <summary>Says that something cannot run.</summary>
    public void Refuse(string place, string reason, string? hint = null) => _remarks.Add(new Remark(true, place, reason, hint));

    /// <summary>Says something that the owner should know.</summary>
    public void Warn(string place, string reason, string? hint = null) => _remarks.Add(new Remark(false, place, reason, hint));

    /// <summary>Ends the work if anything was refused.</summary>
    /// <exception cref="OperationFailedException">Names the first refusal and how many there are.</exception>
    public void ThrowIfRefused()
    {
        var refusals = _remarks.Where(r => r.IsRefusal).ToList();
        if (refusals.Count == 0)
            return;
        var all = string.Concat(refusals.Skip(1).Select(r => $"; {r.Place}: {r.Reason}"));
        throw new OperationFailedException("generate policy", refusals[0].Place, refusals[0].Reason + all, refusals[0].Hint);
    }
}
